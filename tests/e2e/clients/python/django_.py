"""Django. `python django_.py require` or `verify`; `cursors` as Django has it by itself."""

import json
import os
import sys

import django
from django.conf import settings
from django.db import connection, models, transaction


def require():
    # docs: require
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["DB_HOST"],
            "PORT": os.environ["DB_PORT"],
            "NAME": os.environ["DB_NAME"],
            "USER": os.environ["DB_USER"],
            "PASSWORD": os.environ["DB_PASSWORD"],
            "OPTIONS": {"sslmode": "require"},
            "DISABLE_SERVER_SIDE_CURSORS": True,
        }
    }
    # end
    return DATABASES


def verify():
    DATABASES = require()
    # docs: verify
    DATABASES["default"]["OPTIONS"] = {
        "sslmode": "verify-full",
        "sslrootcert": "/var/run/secrets/daap/orders/ca.crt",
    }
    # end
    return DATABASES


def cursors():
    DATABASES = require()
    del DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"]
    return DATABASES


ways = {"require": require, "verify": verify, "cursors": cursors}
settings.configure(DATABASES=ways[sys.argv[1]]())
django.setup()


class Setting(models.Model):
    """A row of a view that PostgreSQL has: a model needs no table of its own."""

    name = models.TextField(primary_key=True)

    class Meta:
        app_label = "clients"
        managed = False
        db_table = "pg_settings"


class Unwanted(Exception):
    """Ends a transaction that is not to be kept."""


def ask(statement, values=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]


database = ask("SELECT current_database()")
prepared = sum(ask("SELECT %s::int", [number]) for number in range(10))
try:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE unfinished (id int)")
        raise Unwanted
except Unwanted:
    unfinished = ask("SELECT to_regclass('unfinished')::text")
iterated = sum(1 for _ in Setting.objects.iterator(chunk_size=50))
assert iterated == Setting.objects.count()
print(json.dumps({"database": database, "prepared": prepared, "unfinished": unfinished}))
