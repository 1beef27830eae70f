import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTEN = '0A';
const LOOPBACK = [
  /^[0-9A-F]{6}7F$/, // 127.0.0.0/8, its bytes reversed
  /^0{24}01000000$/, // ::1
  /^0{16}FFFF0000[0-9A-F]{6}7F$/, // the same as the first, written as IPv6
];

/** TCP ports on which these processes listen for more than this machine (Linux). */
export function portsOpenToOthers(pids: readonly number[]): number[] {
  const sockets = new Set(pids.flatMap(socketsOf));
  const open = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode = '']) => state === LISTEN && sockets.has(`socket:[${inode}]`))
      .map(([, local = '']) => local.split(':'))
      .filter(([address = '']) => !LOOPBACK.some((form) => form.test(address)))
      .map(([, port = '']) => Number.parseInt(port, 16)),
  );
  return [...new Set(open)];
}

function socketsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed while we looked.
      return [];
    }
  });
}
