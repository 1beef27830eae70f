import { expect, test } from '@jest/globals';
import { withLabels } from './own-labels.ts';

const labels = { 'berth.app': 'app1', 'berth.deployment': 'dep1' };
const ours = 'LABEL berth.app=app1 berth.deployment=dep1\n';

test.each(['FROM x', 'FROM x\n', 'FROM x\nCMD ["a"]\n# the end', '# escape=`\nFROM x\nRUN a\\'])(
  'labels are the last instruction: %j',
  (text) => {
    expect(withLabels(text, labels)).toBe(`${text}\n${ours}`);
  },
);

test.each(['FROM x\nRUN a \\', 'FROM x\nRUN a \\\n\n', '# escape=`\nFROM x\nRUN a `\n  # comment'])(
  'nothing can follow an open line: %j',
  (text) => {
    expect(withLabels(text, labels)).toBeNull();
  },
);

test('a value that is no plain word is a fault of ours', () => {
  expect(() => withLabels('FROM x', { 'berth.app': 'a b' })).toThrow('no plain word');
});
