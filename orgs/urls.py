"""Addresses of branding files and of the style sheet that a branding makes."""

from django.urls import path, re_path

from orgs import assets, branding

urlpatterns = [
    re_path(
        r"^assets/v1/(?P<level>org|instance)/policy/label/(?P<place>logo/dark|logo|icon/dark|icon|font)$", assets.upload
    ),
    re_path(r"^assets/v1/(?P<owner>[0-9A-Za-z_-]{1,200})/(?P<key>policy/label/[a-z0-9-]{1,100})$", assets.serve),
    path("ui/v2/branding/<owner>/<version>.css", branding.style_sheet),
]
