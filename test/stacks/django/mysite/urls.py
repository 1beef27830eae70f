from django.db import connection
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path


def home(request):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS visit (at TEXT)")
    return HttpResponse(f"Django answers, its style is {static('style.css')}\n")


urlpatterns = [path("", home)]
