"""The store configuration, ``remindctl.yaml``: stores, their files, providers and secrets."""

from remindctl.config.advice import warnings
from remindctl.config.load import (
    FILE_NAME,
    VARIABLE,
    Config,
    ProviderConfig,
    Secret,
    Sources,
    StoreConfig,
    find_config,
    load_config,
)
from remindctl.config.schema import BUILT_IN_PROVIDERS, FALLS_BACK, ConfigFile, default_preset

__all__ = [
    "BUILT_IN_PROVIDERS",
    "FALLS_BACK",
    "FILE_NAME",
    "VARIABLE",
    "Config",
    "ConfigFile",
    "ProviderConfig",
    "Secret",
    "Sources",
    "StoreConfig",
    "default_preset",
    "find_config",
    "load_config",
    "warnings",
]
