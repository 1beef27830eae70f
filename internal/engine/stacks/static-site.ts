import { execForm } from './stack.ts';

/** Where the static server listens if the app names no port. Not 80: it runs as nobody. */
export const STATIC_PORT = 8080;

/**
 * The last stage of a static site: nginx as nobody, every path of the site's own routes to index.html. The configuration
 * stands in the Dockerfile, so that all of it can be read in one place.
 * @param from the folder to serve: in stage `build`, whose fingerprinted files may be cached, or of the repository
 */
export function staticStage(options: {
  readonly image: string;
  readonly port: number;
  readonly from: string;
  readonly fromStage: boolean;
}): string[] {
  const config = nginxConfig(options.port, options.fromStage)
    .map((line) => `'${line}'`)
    .join(' \\\n    ');
  return [
    `FROM ${options.image}`,
    // The image may run as somebody else, who may not write here.
    'USER root',
    `RUN mkdir -p /berth && printf '%s\\n' \\\n    ${config} > /berth/nginx.conf`,
    `COPY ${options.fromStage ? '--from=build ' : ''}${JSON.stringify([options.from, '/site/'])}`,
    `EXPOSE ${options.port}`,
    'USER 65534:65534',
    `CMD ${execForm(['nginx', '-e', '/dev/stderr', '-c', '/berth/nginx.conf', '-g', 'daemon off;'])}`,
  ];
}

/** By the bundlers' names: `index-BxK3l9aZ.js`, `main.8d9f3c21.css`. Other files keep their names when they change. */
const FINGERPRINTED =
  '    location ~ "/(assets|static|_astro|_next)/.*[-.][A-Za-z0-9_-]{8,}[.][a-z0-9]+$" { add_header Cache-Control "public, max-age=31536000, immutable"; try_files $uri =404; }';

/** Single quotes would end the shell's word: there are none. */
function nginxConfig(port: number, isBuilt: boolean): string[] {
  return [
    'worker_processes 1;',
    'pid /tmp/nginx.pid;',
    'events { worker_connections 1024; }',
    'http {',
    '  include /etc/nginx/mime.types;',
    '  default_type application/octet-stream;',
    '  access_log /dev/stdout;',
    '  client_body_temp_path /tmp/body;',
    '  proxy_temp_path /tmp/proxy;',
    '  fastcgi_temp_path /tmp/fastcgi;',
    '  uwsgi_temp_path /tmp/uwsgi;',
    '  scgi_temp_path /tmp/scgi;',
    '  sendfile on;',
    '  gzip on;',
    '  gzip_types text/css text/javascript application/javascript application/json image/svg+xml;',
    '  charset utf-8;',
    '  server {',
    `    listen ${port};`,
    '    root /site;',
    '    absolute_redirect off;',
    '    add_header Cache-Control "no-cache";',
    '    location / { try_files $uri $uri/index.html $uri.html /index.html =404; }',
    '    location ~ /\\.(?!well-known/) { return 404; }',
    ...(isBuilt ? [FINGERPRINTED] : []),
    '    location ~ /(assets|static|_astro|_next)/ { try_files $uri $uri/index.html $uri.html =404; }',
    '  }',
    '}',
  ];
}
