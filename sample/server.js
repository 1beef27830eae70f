const http = require('node:http');
const os = require('node:os');

const startedAt = new Date();

const page = () => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>It runs</title>
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem; }
  code { background: #8882; padding: .1em .3em; border-radius: .3em; }
</style>
<h1>It runs</h1>
<p>This page comes from the folder <code>sample/</code>: a Git repository became a release, behind Traefik.</p>
<p>Container <code>${os.hostname()}</code>, Node <code>${process.version}</code>, started ${startedAt.toISOString()}.</p>
<p>Change <code>sample/server.js</code>, run <code>bin/up --sample</code> again, and reload: no request is lost.</p>
</html>
`;

const server = http.createServer((request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/health') return answer(response, 200, 'application/json', '{"status":"ok"}\n');
  if (path === '/') return answer(response, 200, 'text/html; charset=utf-8', page());
  return answer(response, 404, 'text/plain; charset=utf-8', 'There is nothing here.\n');
});

function answer(response, status, type, body) {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}

// Traefik keeps idle connections for 2 s; ending ours first would race with its next request.
server.keepAliveTimeout = 65_000;

const port = Number(process.env.PORT || 80);
server.listen(port, () => console.log(`listening on port ${port}`));

process.on('SIGTERM', () => {
  console.log('ending');
  server.close(() => process.exit(0));
});
