const PT_INTERP = 3;

/**
 * Whether a file is a Linux program that runs without any library of its surroundings: an ELF file without PT_INTERP
 * (System V ABI, program headers). Such a program works in an image that holds nothing else.
 */
export function isStaticElf(file: Buffer): boolean {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46) return false;
  const is64 = file[4] === 2;
  const little = file[5] === 1;
  const read16 = (at: number) => (little ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const read32 = (at: number) => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const read64 = (at: number) => Number(little ? file.readBigUInt64LE(at) : file.readBigUInt64BE(at));

  const start = is64 ? read64(32) : read32(28);
  const entrySize = read16(is64 ? 54 : 42);
  const count = read16(is64 ? 56 : 44);
  if (count === 0 || entrySize < 4 || start + entrySize * count > file.length) return false;
  return Array.from({ length: count }, (_, i) => read32(start + i * entrySize)).every(
    (type) => type !== PT_INTERP,
  );
}
