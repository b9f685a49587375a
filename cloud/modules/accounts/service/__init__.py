"""Writes of accounts: logging in, people, roles, and who may administer them."""

from cloud.modules.accounts.service.people import (
    FirstPassword,
    add_user,
    change_user,
    disable_user,
    enable_user,
    grant_role,
    open_account,
    refuse_department_with_staff,
    refuse_unit_with_staff,
    reset_password,
)
from cloud.modules.accounts.service.rights import LastAdministrator
from cloud.modules.accounts.service.roles import (
    add_role,
    change_role,
    close_role,
    copy_role,
    offer_permissions,
    set_permissions,
)
from cloud.modules.accounts.service.sessions import (
    LOCK_S,
    PASSWORD_LENGTH_MIN,
    SESSION_LIFE,
    PasswordTooShort,
    change_own_password,
    choose_locale,
    log_in,
    log_out,
)

__all__ = [
    "LOCK_S",
    "PASSWORD_LENGTH_MIN",
    "SESSION_LIFE",
    "FirstPassword",
    "LastAdministrator",
    "PasswordTooShort",
    "add_role",
    "add_user",
    "change_own_password",
    "change_role",
    "change_user",
    "choose_locale",
    "close_role",
    "copy_role",
    "disable_user",
    "enable_user",
    "grant_role",
    "log_in",
    "log_out",
    "offer_permissions",
    "open_account",
    "refuse_department_with_staff",
    "refuse_unit_with_staff",
    "reset_password",
    "set_permissions",
]
