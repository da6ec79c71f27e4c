"""SQLAlchemy with psycopg. `python sqlalchemy_psycopg.py require` or `verify`."""

import os

import sqlalchemy_
from sqlalchemy import create_engine, make_url


def require():
    # docs: require
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    # end
    return engine


def verify():
    # docs: verify
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
    tls = {"sslmode": "verify-full", "sslrootcert": "/var/run/secrets/daap/orders/ca.crt"}
    engine = create_engine(url, connect_args=tls)
    # end
    return engine


sqlalchemy_.main(require=require, verify=verify)
