"""What all tests share: the plugins with the fixtures."""

pytest_plugins = ["tests.fix_postgres", "tests.fix_cluster", "tests.fix_e2e"]
