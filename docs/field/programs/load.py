"""Asks shop.py for its pages, from several threads. usage: load.py PORT SECONDS THREADS"""
import sys
import threading
import time
import urllib.request

port, end, count = sys.argv[1], time.time() + float(sys.argv[2]), [0]


def client():
    while time.time() < end:
        for page in ("table/200", "json", "slow"):
            urllib.request.urlopen("http://127.0.0.1:%s/%s" % (port, page)).read()
            count[0] += 1


threads = [threading.Thread(target=client) for _ in range(int(sys.argv[3]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(count[0], "requests")
