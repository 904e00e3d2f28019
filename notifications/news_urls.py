from django.urls import path

from . import news_views

app_name = "news"

urlpatterns = [
    path("", news_views.listed, name="list"),
    path("<int:pk>/", news_views.followed, name="follow"),
    path("read/", news_views.all_read, name="all_read"),
]
