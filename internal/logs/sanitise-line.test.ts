import { describe, expect, test } from '@jest/globals';
import { sanitiseLine } from './sanitise-line.ts';

describe('T66: a line that acts instead of being read', () => {
  test.each([
    ['clipboard by OSC 52', 'a\x1b]52;c;aGk=\x07b', 'ab'],
    ['title by OSC 0, ended by ST', 'a\x1b]0;x\x1b\\b', 'ab'],
    ['an OSC without an end hides nothing', 'a\x1b]0;rest of the line', 'a0;rest of the line'],
    ['a hyperlink keeps its text', '\x1b]8;;https://evil.example\x07here\x1b]8;;\x07', 'here'],
    ['clear screen', 'a\x1b[2Jb', 'ab'],
    ['cursor up', 'a\x1b[1Ab', 'ab'],
    ['8-bit CSI', 'a\x9b2Jb', 'ab'],
    ['a device control string', 'a\x1bPq#0\x1b\\b', 'ab'],
    ['reset', 'a\x1bcb', 'ab'],
    ['character set', 'a\x1b(0b', 'ab'],
    ['concealed text', '\x1b[8mhidden\x1b[0m', 'hidden\x1b[0m'],
    ['blinking goes, red stays', '\x1b[5;31mx', '\x1b[31mx'],
    ['a sequence hidden in a sequence', '\x1b\x1b[2J[2J', '[2J'],
    ['a private sequence that ends in m', '\x1b[>4;2mx', 'x'],
    ['a stray ESC', 'a\x1b', 'a'],
    ['bell, backspace, NUL, DEL', 'a\x07\x08\0\x7fb', 'ab'],
    ['C1', 'a\x85\x9cb', 'ab'],
    ['right-to-left override', 'a\u202eb\u2066c\u200fd\u061ce', 'abcde'],
    ['half a surrogate pair', 'a\ud83db', 'a\ufffdb'],
  ])('%s', (_name, text, expected) => {
    expect(sanitiseLine(text)).toBe(expected);
  });

  test.each([
    ['markup', '<b>bold</b> & <script>alert(1)</script>'],
    ['tabs and colours', '\tok \x1b[32mgreen\x1b[0m \x1b[38;5;208morange\x1b[39m \x1b[01;31mgcc\x1b[0m'],
    ['true colour', '\x1b[38;2;1;22;255mx'],
    ['other scripts and emoji', 'Grüße 你好 👩‍👩‍👧 مرحبا'],
    ['brackets and numbers', 'array[2J] [31m 8;5'],
  ])('%s stays as it is', (_name, text) => {
    expect(sanitiseLine(text)).toBe(text);
  });

  test.each([
    ['Windows line end', 'done\r', 'done'],
    ['a progress bar', '10%\r50%\r100%', '100%'],
    ['a progress bar that clears its line', '\x1b[2K10%\r\x1b[2K100%\r\x1b[K\x1b[0m', '100%'],
    ['nothing but returns', '\r\r', ''],
  ])('drawn over: %s', (_name, text, expected) => {
    expect(sanitiseLine(text)).toBe(expected);
  });

  test('takes time in proportion to the length, whatever is in it', () => {
    for (const start of ['\x1b]', '\x9d', '\x1b[', '\x9b', '\x1bP', '\x1b[1;', '\r', '\x1b[38;2;']) {
      const began = performance.now();
      sanitiseLine(start.repeat(200_000));
      expect(performance.now() - began).toBeLessThan(1500);
    }
  });
});
