import { expect, test } from '@jest/globals';
import { firstFileOf } from './gate-tool-image.ts';
import { GateToolUnusable } from './gate-tool-unusable.ts';
import { isStaticElf } from './static-elf.ts';

/** A 64-bit ELF file of one program header. */
function elf(type: number, little = true): Buffer {
  const file = Buffer.alloc(64 + 56);
  file.writeUInt32BE(0x7f454c46, 0);
  file[4] = 2;
  file[5] = little ? 1 : 2;
  const write16 = little ? file.writeUInt16LE.bind(file) : file.writeUInt16BE.bind(file);
  const write32 = little ? file.writeUInt32LE.bind(file) : file.writeUInt32BE.bind(file);
  (little ? file.writeBigUInt64LE.bind(file) : file.writeBigUInt64BE.bind(file))(64n, 32);
  write16(56, 54);
  write16(1, 56);
  write32(type, 64);
  return file;
}

test.each([
  ['loads only itself', elf(1), true],
  ['loads only itself, big-endian', elf(1, false), true],
  ['names an interpreter', elf(3), false],
  ['names an interpreter, big-endian', elf(3, false), false],
  ['is a script', Buffer.from(`#!/bin/sh\n${' '.repeat(100)}`), false],
  ['is cut short', elf(1).subarray(0, 80), false],
  ['is empty', Buffer.alloc(0), false],
])('a file that %s', (_, file, expected) => {
  expect(isStaticElf(file)).toBe(expected);
});

function tarEntry(kind: string, content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(content.length.toString(8).padStart(11, '0'), 124);
  header.write(kind, 156);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body]);
}

test('the first regular file of an archive is found behind other entries', () => {
  const archive = Buffer.concat([tarEntry('x', 'path=a'), tarEntry('0', 'tool'), Buffer.alloc(1024)]);
  expect(firstFileOf(archive).toString()).toBe('tool');
});

test('an archive without a regular file is refused', () => {
  expect(() => firstFileOf(tarEntry('2', ''))).toThrow(GateToolUnusable);
});
