"""SQLAlchemy with pg8000. `python sqlalchemy_pg8000.py require` or `verify`."""

import os
import ssl

import sqlalchemy_
from sqlalchemy import create_engine, make_url


def require():
    # docs: require
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+pg8000", query={})
    engine = create_engine(url, connect_args={"ssl_context": True})
    # end
    return engine


def verify():
    # docs: verify
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+pg8000", query={})
    authority = ssl.create_default_context(cafile="/var/run/secrets/daap/orders/ca.crt")
    engine = create_engine(url, connect_args={"ssl_context": authority})
    # end
    return engine


sqlalchemy_.main(require=require, verify=verify)
