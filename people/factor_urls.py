"""Our pages at the addresses and by the names of allauth's, which stand behind them in the list."""

from django.contrib.auth.decorators import login_required
from django.urls import path

from .views import factors

urlpatterns = [
    path("2fa/", login_required(factors.to_account), name="mfa_index"),
    path("2fa/authenticate/", factors.SecondStep.as_view(), name="mfa_authenticate"),
    path("2fa/reauthenticate/", factors.ConfirmByCode.as_view(), name="mfa_reauthenticate"),
    path("2fa/totp/activate/", factors.add_code_generator, name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", factors.remove_code_generator, name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", factors.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path(
        "2fa/recovery-codes/generate/",
        factors.MakeRecoveryCodes.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    # The page shows them once and saves them as a file itself.
    path(
        "2fa/recovery-codes/download/",
        login_required(factors.to_account),
        name="mfa_download_recovery_codes",
    ),
    path("2fa/webauthn/", login_required(factors.to_account), name="mfa_list_webauthn"),
    path("2fa/webauthn/add/", factors.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path(
        "2fa/webauthn/reauthenticate/",
        factors.ConfirmByPasskey.as_view(),
        name="mfa_reauthenticate_webauthn",
    ),
    path("2fa/webauthn/keys/<int:pk>/edit/", factors.rename_passkey, name="mfa_edit_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/remove/", factors.remove_passkey, name="mfa_remove_webauthn"),
    path("reauthenticate/", factors.ConfirmByPassword.as_view(), name="account_reauthenticate"),
    path("password/set/", factors.SetPassword.as_view(), name="account_set_password"),
]
