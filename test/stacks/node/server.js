const { createServer } = require('node:http');

createServer((_request, response) => response.end('Plain Node answers\n')).listen(process.env.PORT);
