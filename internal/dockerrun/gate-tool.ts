import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { toolFromImage } from './gate-tool-image.ts';
import { GateToolUnusable } from './gate-tool-unusable.ts';
import { isStaticElf } from './static-elf.ts';

const run = promisify(execFile);

/** Only applets that resolve no names: those of a static glibc busybox crash in images with another libc. */
const NEEDED_APPLETS = ['sh', 'sleep', 'cat', 'true'];
const DEBIAN_PATHS = ['/usr/bin/busybox', '/bin/busybox'];
/** The tool's folder, mounted as a gate folder where no release is behind it. */
const TOOL_FOLDER = '.tool';

export function gateToolPath(gateDir: string): string {
  return join(gateDir, TOOL_FOLDER, 'busybox');
}

/**
 * Puts a static busybox at `{gateDir}/.tool/busybox` and runs it once from there: from the setting, else from Debian's
 * package busybox-static, else out of `image`, pulled when it is not there.
 * @throws GateToolUnusable naming what to do
 */
export async function installGateTool(options: {
  gateDir: string;
  setting: string | null;
  docker: Docker;
  instanceId: string;
  image: string;
}): Promise<void> {
  const { gateDir, setting } = options;
  const tool = setting
    ? await fromSetting(setting)
    : ((await firstStatic(DEBIAN_PATHS)) ?? (await toolFromImage(options)));
  if (!isStaticElf(tool)) {
    throw new GateToolUnusable(
      `The busybox of ${options.image} is not static; set GATE_TOOL to one that is.`,
    );
  }

  const folder = join(gateDir, TOOL_FOLDER);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  // Beside the final name and then renamed: other workers and running containers keep the file they have.
  const draft = join(folder, `busybox-${randomUUID()}`);
  try {
    await writeFile(draft, tool);
    await chmod(draft, 0o755);
    await proveItRuns(draft, gateDir);
    await rename(draft, gateToolPath(gateDir));
  } finally {
    await rm(draft, { force: true });
  }
}

async function fromSetting(path: string): Promise<Buffer> {
  const tool = await readFile(path).catch((cause: unknown) => {
    throw new GateToolUnusable('GATE_TOOL names a file that cannot be read.', { cause });
  });
  if (!isStaticElf(tool)) throw new GateToolUnusable('GATE_TOOL must name a statically linked busybox.');
  return tool;
}

async function firstStatic(paths: readonly string[]): Promise<Buffer | null> {
  for (const path of paths) {
    const tool = await readFile(path).catch(() => null);
    if (tool && isStaticElf(tool)) return tool;
  }
  return null;
}

async function proveItRuns(tool: string, gateDir: string): Promise<void> {
  const { stdout } = await run(tool, ['--list'], { timeout: 10_000, maxBuffer: 64 * 1024 }).catch(
    (cause: unknown) => {
      const remedy = `mount the file system of ${gateDir} without noexec, or set DATA_DIR to another place`;
      throw new GateToolUnusable(`The gate tool cannot be run from ${gateDir}: ${remedy}.`, { cause });
    },
  );
  const applets = new Set(stdout.split('\n'));
  const missing = NEEDED_APPLETS.filter((applet) => !applets.has(applet));
  if (missing.length > 0) {
    throw new GateToolUnusable(`The gate tool lacks ${missing.join(', ')}; set GATE_TOOL to a full busybox.`);
  }
}
