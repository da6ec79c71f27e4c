"""What all tests share: the plugins with the fixtures."""

pytest_plugins = [
    "pytester",
    "tests.support.nightly",
    "tests.support.order",
    "tests.support.second_try",
    "tests.support.unmeasured",
    "tests.fix_postgres",
    "tests.fix_cluster",
    "tests.fix_examples",
    "tests.fix_schemas",
    "tests.fix_toys",
    "tests.fix_admission",
    "tests.fix_e2e",
    "tests.fix_install",
    "tests.support.orderly_end",
]
