import { expect, test } from '@jest/globals';
import { runtimeLevel } from './runtime-level.ts';

test.each([
  ['listening on 3000', 'stdout', 'info'],
  ['Error: no such table', 'stderr', 'error'],
  ['{"level":30,"time":1,"msg":"ready"}', 'stderr', 'info'],
  ['{"level":40,"msg":"slow"}', 'stdout', 'warning'],
  ['{"level":60,"msg":"the end"}', 'stdout', 'error'],
  ['{"time":"x", "level": "WARN", "msg":"x"}', 'stdout', 'warning'],
  ['{"severity":"ERROR"}', 'stdout', 'error'],
  ['{"level":"silly"}', 'stderr', 'error'],
  ['time=x level=info msg="x"', 'stderr', 'info'],
  ['ts=1 level="warning"', 'stdout', 'warning'],
  ['sea level=rise', 'stdout', 'info'],
  [`{"msg":"${'x'.repeat(1000)}","level":50}`, 'stdout', 'info'],
] as const)('%s on %s is %s', (text, stream, level) => {
  expect(runtimeLevel(text, stream)).toBe(level);
});
