"""A small Flask application: a page from a template, JSON, and a page that waits."""
import sys
import time

from flask import Flask, jsonify, render_template_string

app = Flask(__name__)
PAGE = "<table>{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>"

@app.route("/table/<int:n>")
def table(n):
    return render_template_string(PAGE, rows=[[i * k for k in range(10)] for i in range(n)])

@app.route("/json")
def as_json():
    return jsonify({str(i): list(range(50)) for i in range(200)})

@app.route("/slow")
def slow():
    time.sleep(0.05)
    return "done"

app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
