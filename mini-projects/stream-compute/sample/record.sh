#!/bin/bash
# Records an access log from a real nginx on the loopback interface, in about 80 seconds.
# Usage: record.sh DIRECTORY   (the log is DIRECTORY/access.log)
# Needs nginx, curl, ab (package apache2-utils) and Linux, where all of 127.0.0.0/8 is loopback.
set -eu
dir=$(realpath "$1")
port=18080
base=http://127.0.0.1:$port

mkdir -p "$dir/www/docs/guide" "$dir/tmp"
echo '<h1>welcome</h1>' >"$dir/www/index.html"
echo 'body { color: black }' >"$dir/www/style.css"
for page in 1 2 3 4 5; do head -c $((page * 700)) /dev/urandom | base64 >"$dir/www/docs/guide/page$page.html"; done
head -c 40000 /dev/urandom >"$dir/www/logo.png"

cat >"$dir/nginx.conf" <<CONF
daemon on;
pid $dir/nginx.pid;
error_log $dir/error.log;
events {}
http {
    access_log $dir/access.log combined;
    client_body_temp_path $dir/tmp;
    server {
        listen 127.0.0.1:$port;
        listen [::1]:$port;
        root $dir/www;
        client_header_timeout 2s;
    }
}
CONF
nginx -c "$dir/nginx.conf"
trap 'nginx -c "$dir/nginx.conf" -s quit' EXIT

get() { # SOURCE-ADDRESS PATH [curl's options]
    local source=$1 path=$2
    shift 2
    curl -s -o /dev/null --max-time 5 --interface "$source" "$@" "$base$path" || true
}
raw() { # SOURCE-ADDRESS BYTES: what a port scanner or a broken client sends
    python3 - "$1" "$port" "$2" <<'PY'
import socket, sys
source, port, text = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with socket.create_connection(("127.0.0.1", port), 5, (source, 0)) as s:
    s.sendall(text.encode().decode("unicode_escape").encode("latin-1"))
    s.settimeout(3)
    try:
        s.recv(4096)
    except OSError:
        pass
PY
}

for second in $(seq 1 75); do
    ends=$((SECONDS + 1))
    # A visitor reads the site.
    visitor=127.0.0.$((10 + second % 7))
    get "$visitor" / -A 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
    get "$visitor" /style.css -e "$base/" -A 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
    get "$visitor" "/docs/guide/page$((1 + second % 5)).html?from=index&n=$second" -e "$base/"
    # A crawler works at a rate that rises and falls with a period of 25 s.
    burst=$((1 + (second % 25) * (25 - second % 25) / 4))
    ab -q -B 127.0.0.50 -n "$burst" -c 2 "$base/docs/guide/page$((1 + second % 5)).html" >/dev/null 2>&1 || true
    # Every now and then.
    if ((second % 3 == 0)); then curl -s -o /dev/null "http://[::1]:$port/" || true; fi
    if ((second % 4 == 0)); then get 127.0.0.23 /robots.txt; get 127.0.0.23 "/no/such/page-$second"; fi
    if ((second % 5 == 0)); then get 127.0.0.31 /logo.png -r 0-1023; get 127.0.0.31 /logo.png -I; fi
    if ((second % 10 == 0)); then ab -q -B 127.0.0.60 -n 40 -c 4 -k "$base/style.css" >/dev/null 2>&1 || true; fi
    case $second in
    7) get 127.0.0.40 /docs -A 'an agent with "quotes" and a \ backslash' ;;
    11) get 127.0.0.40 / -X POST -d 'a=1' -u alice:secret ;;
    17) raw 127.0.0.66 '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' ;;
    23) raw 127.0.0.66 'GET / HTTP/9.9\r\n\r\n' ;;
    29) raw 127.0.0.67 'HELP\r\n' ;;
    33) get 127.0.0.40 /%E9%98%9F%E5%88%97?q=%22quoted%22 -A 'queue 队列' ;;
    37) raw 127.0.0.67 'GET /"quoted" path HTTP/1.0\r\n\r\n' ;;
    41) get 127.0.0.40 / -A '' ;;
    47) raw 127.0.0.66 '\r\n\x00' ;;
    esac
    while ((SECONDS < ends)); do sleep 0.05; done
done
