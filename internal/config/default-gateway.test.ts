import { expect, test } from '@jest/globals';
import { gatewayIn } from './default-gateway.ts';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const route = (destination: string, gateway: string) =>
  `eth0\t${destination}\t${gateway}\t0003\t0\t0\t0\t00000000\t0\t0\t0`;

test('the gateway of a container on a bridge network', () => {
  const table = [HEAD, route('00000000', '010012AC'), route('000012AC', '00000000'), ''].join('\n');
  expect(gatewayIn(table)).toBe('172.18.0.1');
});

test.each([
  ['no default route', [HEAD, route('000012AC', '00000000')]],
  ['one without a gateway', [HEAD, route('00000000', '00000000')]],
  ['nothing', ['']],
  ['something else', ['no', 'table']],
])('%s gives none', (_what, lines) => {
  expect(gatewayIn(lines.join('\n'))).toBeNull();
});
