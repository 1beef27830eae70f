// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of that look
import { expect, test } from '@jest/globals';
import { checkDockerfile } from './dockerfile-rules.ts';
import { withoutBuildKit } from './without-buildkit.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };

function translate(text: string, platform = amd64) {
  return withoutBuildKit(
    text,
    checkDockerfile(text, { appId: 'app1', buildArguments: {}, registry: null }).needsBuildKit,
    platform,
  );
}

test.each<[string, string, Record<string, string>]>([
  ['FROM alpine\nCOPY --link a b', 'FROM alpine\nCOPY a b', {}],
  ['FROM alpine\nCOPY --from=x --link --chown=1:1 a b', 'FROM alpine\nCOPY --from=x --chown=1:1 a b', {}],
  ['FROM alpine\nADD  --link=true a b', 'FROM alpine\nADD  a b', {}],
  [
    'FROM alpine\nARG TARGETARCH TARGETOS\nRUN get $TARGETARCH',
    'FROM alpine\nARG TARGETARCH TARGETOS\nRUN get $TARGETARCH',
    { TARGETARCH: 'amd64', TARGETOS: 'linux' },
  ],
  [
    'FROM --platform=$BUILDPLATFORM golang AS b\nARG TARGETVARIANT\nFROM --platform=$TARGETPLATFORM x-${TARGETARCH}\nCOPY --link --from=b a b',
    'FROM --platform=linux/amd64 golang AS b\nARG TARGETVARIANT\nFROM --platform=linux/amd64 x-amd64\nCOPY --from=b a b',
    { TARGETVARIANT: '' },
  ],
  [
    'FROM alpine\nRUN echo "COPY --link a"\nCOPY --link a b',
    'FROM alpine\nRUN echo "COPY --link a"\nCOPY a b',
    {},
  ],
])('%j is built by the classic builder as %j', (text, built, buildArguments) => {
  expect(translate(text)).toEqual({ text: built, buildArguments });
});

test('what needs no BuildKit is built as it is', () => {
  const text = 'FROM alpine\nCOPY a b\n';
  expect(withoutBuildKit(text, [], null)).toEqual({ text, buildArguments: {} });
});

test.each([
  ['another need', 'FROM alpine\nCOPY --link --chmod=644 a b'],
  ['a mount', 'FROM alpine\nARG TARGETARCH\nRUN --mount=type=tmpfs,target=/t true'],
  ['a default', 'FROM alpine\nARG TARGETARCH=arm64'],
  ['a condition', 'FROM alpine-${TARGETARCH:-x}'],
  ['an empty variable in a name', 'FROM deadbeef$TARGETVARIANT'],
  ['a flag on a line of its own', 'FROM alpine\nCOPY \\\n --link a b'],
  ['a stage over two lines', 'FROM \\\n alpine-$TARGETARCH'],
])('not with %s', (_, text) => {
  expect(translate(text)).toBeNull();
});

test('not for a platform with variants', () => {
  expect(translate('FROM alpine\nARG TARGETARCH', { os: 'linux', architecture: 'arm' })).toBeNull();
});
