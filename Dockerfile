# The operator's image: Python, the locked dependencies, the operator, and nothing else. No shell, no
# package manager, no pip. `make image` builds it, with Docker or without.
#
# The base is named by its tag, which the builder without Docker knows too. A release is built from
# the digest that the tag has on that day (PYTHON_IMAGE), and a label of the image says which.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS base

FROM base AS root
WORKDIR /build
COPY requirements/run.txt ./
# The lock as it is, nothing resolved anew. Wheels only: nobody's build script runs here
RUN python -m venv --without-pip /opt/daap \
 && python -m pip --python /opt/daap/bin/python install --quiet --disable-pip-version-check --no-cache-dir \
      --root-user-action=ignore --no-compile --no-deps --only-binary=:all: --require-hashes --requirement run.txt \
 && python -m pip --disable-pip-version-check --python /opt/daap/bin/python check
COPY dev/image/root.py ./
RUN python root.py /image /opt/daap

FROM root AS package
COPY requirements/build.txt ./
RUN python -m venv --without-pip /build/tools \
 && python -m pip --python /build/tools/bin/python install --quiet --disable-pip-version-check --no-cache-dir \
      --root-user-action=ignore --no-deps --only-binary=:all: --require-hashes --requirement build.txt
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY daap_operator daap_operator
RUN tools/bin/python -m hatchling build --target wheel \
 && python -m pip --python /opt/daap/bin/python install --quiet --disable-pip-version-check --root-user-action=ignore \
      --no-warn-script-location --no-compile --no-index --no-deps --root /package dist/*.whl \
 && python -m compileall -q --invalidation-mode unchecked-hash -s /package /package

FROM scratch
# From the base itself: while a stage is built, it may see the building machine's certificates
COPY --from=base /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=root /image /
COPY --from=package /package /
# Version, commit and the base's digest are added by whoever builds: --label
LABEL org.opencontainers.image.title="daap-operator" \
      org.opencontainers.image.description="PostgreSQL databases as a platform, on CloudNativePG" \
      org.opencontainers.image.source="https://github.com/daap-io/daap-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13-slim"
# Bytecode is in the image, and its root file system may be read-only
ENV PATH=/opt/daap/bin LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
WORKDIR /
ENTRYPOINT ["daap-operator"]
CMD ["run"]
