import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import { goVersionOf, imageOfVersion } from './base-image.ts';
import { buildVariables, commandText, dockerfileOf, execForm, type Stack } from './stack.ts';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** A static binary in an image that holds nothing else but the certificates. */
export const goStack: Stack = {
  frameworks: ['go'],
  looksFor: 'a go.mod with a main package',

  recipe(facts, settings) {
    const goMod = facts.texts['go.mod'];
    if (goMod === undefined) return null;
    const target = settings.buildCommand === null ? mainPackage(facts.paths) : null;
    if (settings.buildCommand === null && target === null) return null;
    const image = imageOfVersion(settings.images.go, 'golang', goVersionOf(goMod));
    const build = settings.buildCommand ?? [
      'go',
      'build',
      '-trimpath',
      '-ldflags=-s -w',
      '-o',
      '/out/server',
      target ?? '.',
    ];
    const start = settings.startCommand ?? ['/server'];
    const manifests = ['go.mod', 'go.sum', 'go.work'].filter((name) => facts.files.includes(name));
    const dockerfile = [
      `FROM ${image} AS build`,
      'ENV CGO_ENABLED=0',
      'WORKDIR /src',
      ...buildVariables(settings),
      `COPY ${manifests.join(' ')} ./`,
      'RUN go mod download',
      'COPY . .',
      `RUN mkdir -p /out`,
      `RUN ${execForm(build)}`,
      'FROM scratch',
      `COPY --from=build ${CERTIFICATES} ${CERTIFICATES}`,
      'COPY --from=build /out/ /',
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
