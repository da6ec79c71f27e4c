"""The custom resources, one module an API version. Pure: models that take and return values."""
