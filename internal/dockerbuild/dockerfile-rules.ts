import { posix } from 'node:path';
import { type Dockerfile, DockerfileParser } from 'dockerfile-ast';
import type { RegistrySettings } from '../config/config.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { buildKitNeeds } from './buildkit-needs.ts';
import {
  logicalLine,
  mountOptions,
  mountTarget,
  type ParsedInstruction,
  parseInstruction,
  unquote,
} from './dockerfile-flags.ts';
import { nameCaches } from './own-caches.ts';
import { substitute } from './substitute-arguments.ts';

/** How a Dockerfile is to be built, after it has passed the rules. */
export interface CheckedDockerfile {
  /** The text to build: the given one, but cache mounts renamed so that no two apps share one. */
  readonly text: string;
  /** What the classic builder, which keeps to the limits, does not know; empty when it can build it. */
  readonly needsBuildKit: readonly string[];
  /** Names that its ARG instructions declare. */
  readonly declaredArguments: ReadonlySet<string>;
  /** Ids of the secrets that its RUN instructions mount. */
  readonly secretIds: ReadonlySet<string>;
  /** Names of the images that it builds from or copies from. */
  readonly baseImages: ReadonlySet<string>;
}

/** Whose build it is, and with what. */
export interface BuildOf {
  readonly appId: string;
  readonly buildArguments: Readonly<Record<string, string>>;
  /** Where images of the platform stand, beside this machine. */
  readonly registry: Pick<RegistrySettings, 'host' | 'project'> | null;
}

const MAX_BYTES = 256 * 1024;
const OFFICIAL_FRONTEND =
  /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$/;

/**
 * Refuses what would read another app's image: names of ours, and images by id. This is the first, cheap line: it looks
 * at the text and the arguments it is built with, not at what a base image brings along. The official frontends are the only ones that `# syntax` may name.
 * @throws DeploymentFailed dockerfile_invalid
 */
export function checkDockerfile(
  text: string,
  { appId, buildArguments, registry }: BuildOf,
): CheckedDockerfile {
  if (Buffer.byteLength(text) > MAX_BYTES) refuse('The Dockerfile is larger than 256 KB.');
  const dockerfile = DockerfileParser.parse(text);
  checkFrontend(dockerfile);
  const instructions = parse(text, dockerfile);
  const baseImages = checkSources(instructions, { buildArguments, registry });
  return {
    text: nameCaches(text, instructions, appId),
    needsBuildKit: buildKitNeeds(instructions, text),
    declaredArguments: namesDeclared(instructions),
    secretIds: secretIds(instructions),
    baseImages,
  };
}

/** The same of a Dockerfile of ours, which needs no check. */
export function declaredArguments(text: string): ReadonlySet<string> {
  return namesDeclared(parse(text, DockerfileParser.parse(text)));
}

function secretIds(instructions: readonly ParsedInstruction[]): ReadonlySet<string> {
  const secrets = instructions.flatMap(mountsOf).filter((mount) => mount.get('type') === 'secret');
  return new Set(secrets.map((mount) => mount.get('id') ?? posix.basename(mountTarget(mount))));
}

function namesDeclared(instructions: readonly ParsedInstruction[]): ReadonlySet<string> {
  const words = instructions.flatMap((instruction) =>
    instruction.keyword === 'ARG' ? instruction.words : [],
  );
  return new Set(words.map((word) => unquote(word.split('=')[0] ?? '')));
}

/** Its instructions, and the lines on which each begins and ends, from 0. */
export function readInstructions(
  text: string,
): (ParsedInstruction & { firstLine: number; lastLine: number })[] {
  const dockerfile = DockerfileParser.parse(text);
  const ranges = dockerfile.getInstructions().map((instruction) => instruction.getRange());
  return parse(text, dockerfile).map((instruction, at) => ({
    ...instruction,
    firstLine: ranges[at]?.start.line ?? 0,
    lastLine: ranges[at]?.end.line ?? 0,
  }));
}

function parse(text: string, dockerfile: Dockerfile): ParsedInstruction[] {
  const lines = text.split('\n');
  return dockerfile.getInstructions().map((instruction) => {
    const { start, end } = instruction.getRange();
    const source = [
      ...lines.slice(start.line, end.line),
      (lines[end.line] ?? '').slice(0, end.character),
    ].join('\n');
    const line = logicalLine(source.slice(start.character), dockerfile.getEscapeCharacter());
    const parsed = parseInstruction(line);
    // A trigger runs when someone builds from this image; it is held to the same rules.
    return parsed.keyword === 'ONBUILD' ? parseInstruction(parsed.words.join(' ')) : parsed;
  });
}

function checkFrontend(dockerfile: Dockerfile): void {
  for (const directive of dockerfile.getDirectives()) {
    if (directive.getName().toLowerCase() !== 'syntax') continue;
    if (!OFFICIAL_FRONTEND.test(directive.getValue())) {
      refuse(`"# syntax" may only name docker/dockerfile, not ${directive.getValue().slice(0, 100)}.`);
    }
  }
}

/** @returns the images that are no stages of it */
function checkSources(
  instructions: readonly ParsedInstruction[],
  { buildArguments, registry }: Omit<BuildOf, 'appId'>,
): Set<string> {
  /** Of the arguments that may stand in the name of an image: their values in this build. */
  const values = new Map<string, string>();
  /** Names and numbers by which later instructions may mean an earlier stage. */
  const stages = new Set<string>();
  const images = new Set<string>();
  const takeImage = (name: string) => {
    if (stages.has(name.toLowerCase())) return;
    refuseOurs(name, registry);
    images.add(name);
  };
  let count = 0;
  for (const { keyword, flags, words } of instructions) {
    if (keyword === 'ARG' && count === 0) {
      for (const word of words) {
        const [name = '', ...value] = word.split('=');
        const given = Object.hasOwn(buildArguments, name) ? buildArguments[name] : undefined;
        if (given !== undefined) values.set(name, given);
        else if (value.length > 0)
          values.set(name, substitute(unquote(value.join('=')), values) ?? refuseVariable(word));
      }
    } else if (keyword === 'FROM') {
      const [written = '', as, stage] = words;
      const image = unquote(substitute(written, values) ?? refuseVariable(written));
      takeImage(image);
      stages.add(String(count++));
      if (as?.toUpperCase() === 'AS' && stage !== undefined) stages.add(stage.toLowerCase());
    } else {
      for (const source of sourcesOf(keyword, flags)) {
        if (source.includes('$')) refuseVariable(source);
        takeImage(source);
      }
    }
  }
  images.delete('scratch');
  return images;
}

function sourcesOf(keyword: string, flags: ParsedInstruction['flags']): string[] {
  if (keyword === 'COPY' || keyword === 'ADD') {
    return flags.filter(({ name }) => name === 'from').map(({ value }) => value);
  }
  return mountsOf({ keyword, flags }).flatMap((mount) => mount.get('from') ?? []);
}

function mountsOf({ keyword, flags }: Pick<ParsedInstruction, 'keyword' | 'flags'>): Map<string, string>[] {
  if (keyword !== 'RUN') return [];
  return flags.filter(({ name }) => name === 'mount').map(({ value }) => mountOptions(value));
}

/** An id, or the beginning of one, finds any image of the daemon; so does a name of ours. */
function refuseOurs(image: string, registry: BuildOf['registry']): void {
  const name = image.replaceAll('\\', '').toLowerCase();
  if (/^(?:sha256:.*|[0-9a-f]+)$/.test(name)) {
    refuse(`Images are named, not given by id: ${image.slice(0, 100)}.`);
  }
  const isLocal = /^(?:(?:index\.)?docker\.io\/)?berth\//.test(name);
  if (isLocal || (registry !== null && isInRegistry(name, registry))) {
    refuse(
      `${image.slice(0, 100)} is an image of this platform; build from one of your own or a public one.`,
    );
  }
}

/**
 * Other apps' images could be read there with the platform's own sign-in. A registry has many names (`localhost`, an
 * address), so that what looks like an image of ours is refused by any name of the host.
 */
function isInRegistry(name: string, { host, project }: NonNullable<BuildOf['registry']>): boolean {
  const [, ofHost = '', path = ''] = /^([^/]+)\/(.*)$/.exec(name) ?? [];
  const folder = project === null ? '' : `${project}/`;
  if (!path.startsWith(folder)) return false;
  const image = /^[a-z][a-z2-7]{5}-[^/:@]+\/[^/:@]+(?::(?<tag>[^@]*))?(?:@.*)?$/.exec(
    path.slice(folder.length),
  );
  if (image === null) return false;
  return ofHost === host || /^[0-9a-f]{40}$/.test(image.groups?.['tag'] ?? '');
}

function refuseVariable(text: string): never {
  return refuse(`An image may be named by plain ARG variables before FROM only: ${text.slice(0, 100)}.`);
}

function refuse(reason: string): never {
  throw new DeploymentFailed('dockerfile_invalid', reason);
}
