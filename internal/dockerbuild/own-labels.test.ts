import { describe, expect, test } from '@jest/globals';
import { withLabels, withStageLabels } from './own-labels.ts';

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

describe('labels of every stage', () => {
  const stage = 'LABEL berth.app=app1 berth.deployment=dep1';

  test.each([
    ['FROM x', `FROM x\n${stage}`, 1],
    ['# c\nARG A=1\nFROM x\nRUN a\n', `# c\nARG A=1\nFROM x\n${stage}\nRUN a\n`, 1],
    [
      'FROM x AS a\nRUN b\nFROM y\nCOPY --from=a / /',
      `FROM x AS a\n${stage}\nRUN b\nFROM y\n${stage}\nCOPY --from=a / /`,
      2,
    ],
    ['FROM \\\n  x\nRUN a \\\n  FROM', `FROM \\\n  x\n${stage}\nRUN a \\\n  FROM`, 1],
    ['# escape=`\nfrom x\r\nRUN a', `# escape=\`\nfrom x\r\n${stage}\nRUN a`, 1],
  ])('stand right after FROM: %j', (text, expected, count) => {
    expect(withStageLabels(text, labels)).toEqual({ text: expected, instruction: stage, count });
  });

  test.each(['FROM x \\', 'RUN a'])('are left out where they would change what it says: %j', (text) => {
    expect(withStageLabels(text, labels)).toBeNull();
  });
});
