"""Addresses of the login; the older ones redirect."""

from django.urls import path
from django.views.generic import RedirectView

from iam.login import device, logout, recovery, views

urlpatterns = [
    path("ui/v2/login/login", views.login),
    path("ui/v2/login/accounts", views.accounts),
    path("ui/v2/login/loginname", views.loginname),
    path("ui/v2/login/password", views.password),
    path("ui/v2/login/password/change", views.change_password),
    path("ui/v2/login/password/expiring", views.expiring),
    path("ui/v2/login/password/reset", recovery.reset),
    path("ui/v2/login/password/set", recovery.set_password),
    path("ui/v2/login/verify", recovery.verify),
    path("ui/v2/login/device", device.enter),
    path("ui/v2/login/device/confirm", device.confirm),
    path("ui/v2/login/logout", logout.logout),
    path("ui/v2/login/signedout", logout.signed_out),
    path("device", RedirectView.as_view(url="/ui/v2/login/device", query_string=True)),
    path("ui/login/login", RedirectView.as_view(url="/ui/v2/login/login", query_string=True)),
    path("ui/login/logout", RedirectView.as_view(url="/ui/v2/login/logout", query_string=True)),
]
