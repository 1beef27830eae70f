import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import type { RepositoryFacts } from '../plan-build.ts';
import { goVersionOf, imageOfVersion } from './base-image.ts';
import { buildVariables, commandText, dockerfileOf, execForm, type Stack } from './stack.ts';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * A static binary with the zones of time in it, on nothing but the certificates and a folder for temporary files. The
 * repository lies beside it, since many programs read their templates and pages when they run.
 */
export const goStack: Stack = {
  frameworks: ['go'],
  looksFor: 'a go.mod with a main package',

  recipe(facts, settings) {
    const goMod = facts.texts['go.mod'];
    if (goMod === undefined) return null;
    const target = settings.buildCommand === null ? mainPackage(facts.paths) : null;
    if (settings.buildCommand === null && target === null) return null;
    const image = imageOfVersion(settings.images.go, 'golang', goVersionOf(goMod));
    const build = settings.buildCommand ?? [...BUILD, target ?? '.'];
    const start = settings.startCommand ?? ['/server'];
    const dockerfile = [
      `FROM ${image} AS build`,
      'ENV CGO_ENABLED=0',
      'RUN mkdir -p /out/tmp && chmod 1777 /out/tmp',
      'WORKDIR /src',
      ...buildVariables(settings),
      ...modules(facts, goMod),
      'COPY . .',
      `RUN ${execForm(build)}`,
      'FROM scratch',
      `COPY --from=build ${CERTIFICATES} ${CERTIFICATES}`,
      'COPY --from=build /out/ /',
      'COPY --chown=65534:65534 . /app/',
      'WORKDIR /app',
      'USER 65534:65534',
      `CMD ${execForm(start)}`,
    ];
    return {
      framework: 'go',
      dockerfile: dockerfileOf(dockerfile),
      because: `go.mod says Go${target === null ? '' : `, and ${target} is its main package`}`,
      buildCommand: commandText(build),
      startCommand: commandText(start),
      port: null,
      context: 'root_directory',
    };
  },
};

const BUILD = ['go', 'build', '-trimpath', '-tags=timetzdata', '-ldflags=-s -w', '-o', '/out/server'];

/** A layer of their own; not where they lie in the repository, which is not there yet. */
function modules({ files, texts }: RepositoryFacts, goMod: string): string[] {
  const isVendored = texts['vendor/modules.txt'] !== undefined;
  const isLocal = /=>\s*\.{1,2}\//.test(goMod) || files.includes('go.work');
  if (isVendored || isLocal) return [];
  const manifests = ['go.mod', 'go.sum'].filter((name) => files.includes(name));
  return [`COPY ${manifests.join(' ')} ./`, 'RUN go mod download'];
}

/** The root, else the one folder under cmd/. @throws DeploymentFailed stack_not_recognised when there are several */
function mainPackage(paths: readonly string[]): string | null {
  if (paths.includes('main.go')) return '.';
  const commands = paths.flatMap((path) => /^cmd\/([\w.-]+)\/main\.go$/.exec(path)?.[1] ?? []);
  if (commands.length > 1) {
    throw new DeploymentFailed(
      'stack_not_recognised',
      `There are several programs under cmd/ (${commands.slice(0, 5).join(', ')}): set build_command, such as go build -o /out/server ./cmd/${commands[0]}.`,
    );
  }
  if (commands[0] !== undefined) return `./cmd/${commands[0]}`;
  return paths.some((path) => /^[\w.-]+\.go$/.test(path)) ? '.' : null;
}
