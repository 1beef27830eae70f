import { expect, test } from '@jest/globals';
import { establishedConnections, listeningPorts, routedSubnets } from './proc-net.ts';

const V4 = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0B00007F:9C45 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
   3: 0701590A:0050 0101590A:C350 01 00000000:00000000 00:00000000 00000000     0        0 4 1 0 20 4 30 10 -1
   4: 0701590A:0050 0101590A:C351 06 00000000:00000000 00:00000000 00000000     0        0 5 1 0 20 4 30 10 -1
   5: 0100007F:0050 0100007F:C352 01 00000000:00000000 00:00000000 00000000     0        0 6 1 0 20 4 30 10 -1
`;
const V6 = `  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000
   2: 0000000000000000FFFF00000701590A:0050 0000000000000000FFFF00000101590A:C353 01 00000000:00000000
   3: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000100007F:C354 01 00000000:00000000
`;

test('reads listening ports of both families, without the resolver of Docker', () => {
  expect(listeningPorts(V4 + V6)).toEqual([
    { port: 80, loopbackOnly: false },
    { port: 3000, loopbackOnly: true },
    { port: 8080, loopbackOnly: false },
  ]);
  expect(listeningPorts(V4)).toContainEqual({ port: 8080, loopbackOnly: true });
});

test('counts established connections from outside only', () => {
  expect(establishedConnections(V4 + V6, 80)).toBe(2);
  expect(establishedConnections(V4 + V6, 8080)).toBe(0);
});

test.each(['', 'cat: /proc/net/tcp6: No such file or directory'])('reads nothing out of %p', (text) => {
  expect(listeningPorts(text)).toEqual([]);
});

test('reads the routes of the host as CIDR, without the default route', () => {
  const table = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
vpn\t0000400A\t00000000\t0001\t0\t0\t0\t0000C0FF\t0\t0\t0
`;
  expect(routedSubnets(table)).toEqual(['172.17.0.0/16', '192.0.2.0/24', '10.64.0.0/10']);
});
