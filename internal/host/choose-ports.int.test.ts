import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { freePorts } from '../../test/support/free-ports.ts';
import { chooseHttpPort, probePort, requireFreePort } from './choose-ports.ts';

test('a taken port ends the start with one line that names it and its setting', async () => {
  const [port = 0] = await freePorts(1);
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  await expect(requireFreePort(port, '127.0.0.1', 'PORT=<port>')).rejects.toThrow(
    `Port ${port} is taken; choose another one: PORT=<port> bin/up`,
  );
  server.close();
});

test('a port that was set is used, or refused, but never replaced', async () => {
  const [port = 0] = await freePorts(1);
  await expect(chooseHttpPort(port)).resolves.toEqual({ port, reason: null });
  const server = createServer().listen(port);
  await once(server, 'listening');
  await expect(chooseHttpPort(port)).rejects.toThrow('HTTP_PORT=<port>');
  server.close();
});

test('without a setting it is 80 where that may be bound, else 8000, with the reason', async () => {
  const [port80, port8000] = [await probePort(80, undefined), await probePort(8000, undefined)];
  if (port80 === 'free') await expect(chooseHttpPort(null)).resolves.toEqual({ port: 80, reason: null });
  else if (port8000 === 'free') {
    await expect(chooseHttpPort(null)).resolves.toEqual({
      port: 8000,
      reason: expect.stringContaining('port 80 '),
    });
  } else await expect(chooseHttpPort(null)).rejects.toThrow('8000');
});
