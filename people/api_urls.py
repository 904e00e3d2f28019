from django.urls import path

from .api import OfficeList

urlpatterns = [path("offices/", OfficeList.as_view(), name="api-offices")]
