// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of that look
import { describe, expect, test } from '@jest/globals';
import { type BuildOf, checkDockerfile } from './dockerfile-rules.ts';

const check = (
  text: string,
  buildArguments: Record<string, string> = {},
  registry: BuildOf['registry'] = null,
) => checkDockerfile(text, { appId: 'app1', buildArguments, registry });

describe('T18: a Dockerfile may not read an image of the platform or an image by id', () => {
  const id = 'sha256:6a21ac5d5f3f4bb0f0c3b1f5b9d6b6f0bb0a57a8ad9a2c5a3c7f3a1f4e2d1c0b';
  test.each([
    'FROM berth/victim:dep1',
    'from Berth/victim:dep1',
    'FROM docker.io/berth/victim:dep1',
    'FROM index.docker.io/berth/victim',
    `FROM ${id}`,
    'FROM 6a21ac5d5f3f',
    'FROM 6a',
    'FROM "berth/victim:dep1"',
    "FROM ber'th'/victim:dep1",
    'FROM ber\\th/victim:dep1',
    'FROM \\\n  berth/victim:dep1',
    'FROM --platform=linux/amd64 berth/victim',
    'ARG BASE=berth/victim:dep1\nFROM $BASE',
    'ARG A=berth\nARG B=${A}/victim\nFROM ${B}',
    'FROM ${NOTHING:-berth/victim}',
    'ARG A=x\nFROM ${A:+berth/victim}',
    'ARG A=xxberth/victim\nFROM ${A#xx}',
    'FROM \\$A',
    'FROM alpine\nCOPY --from=berth/victim:dep1 / /',
    'FROM alpine\nCOPY --from="berth/victim" / /',
    'FROM alpine\nCOPY --chown=1:1 --from=berth/victim / /',
    'FROM alpine\nCOPY --from=6a21ac5d5f3f / /',
    'FROM alpine\nCOPY --from=1 / /',
    'FROM alpine\nARG X=berth/victim\nCOPY --from=$X / /',
    'FROM alpine\nONBUILD COPY --from=berth/victim / /',
    'FROM alpine\nRUN --mount=type=bind,from=berth/victim,target=/x true',
    'FROM alpine\nRUN --mount=type=bind,FROM=berth/victim,target=/x true',
    'FROM alpine\nRUN --mount=type=bind,"from=berth/victim",target=/x true',
    'FROM alpine\nRUN --mount="type=bind, from=berth/victim" true',
    '# escape=`\nFROM `\nberth/victim',
  ])('%j', (text) => {
    expect(() => check(text)).toThrow(expect.objectContaining({ code: 'dockerfile_invalid' }));
  });
});

describe('T18: an image that the platform has pushed to its registry', () => {
  const registry = { host: 'registry.test:5000', project: null };
  const inProject = { ...registry, project: 'apps' };
  const sha = 'a'.repeat(40);
  test.each([
    [`registry.test:5000/k3v5ah-store/shop:${sha}`, registry],
    ['registry.test:5000/k3v5ah-store/shop', registry],
    ['Registry.Test:5000/k3v5ah-store/shop@sha256:1234', registry],
    [`localhost:5000/k3v5ah-store/shop:${sha}`, registry],
    [`registry.test:5000/apps/k3v5ah-store/shop:${sha}`, inProject],
  ])('%s is refused', (image, where) => {
    for (const text of [`FROM ${image}`, `FROM alpine\nCOPY --from=${image} / /`]) {
      expect(() => check(text, {}, where)).toThrow(expect.objectContaining({ code: 'dockerfile_invalid' }));
    }
    expect(() => check(`FROM ${image}`)).not.toThrow();
  });

  test.each([
    ['registry.test:5000/base/node:20', registry],
    ['registry.test:5000/node:20', registry],
    ['registry.test:5000/library/k3v5ah-store/shop', inProject],
    ['ghcr.io/github-actions/runner:v1', registry],
    ['alpine', registry],
  ])('%s is none', (image, where) => {
    expect(() => check(`FROM ${image}`, {}, where)).not.toThrow();
  });
});

describe('T18: an image that a build argument names is held to the same rules', () => {
  test.each([
    ['ARG BASE\nFROM $BASE', { BASE: 'berth/victim:dep1' }],
    ['ARG BASE=alpine\nFROM ${BASE}', { BASE: '6a21ac5d5f3f' }],
    ['ARG A B\nFROM $A$B', { A: 'berth', B: '/victim' }],
    ['ARG A\nARG B=${A}\nFROM ${B}', { A: 'berth/victim' }],
    ['ARG A\nFROM ${A:-alpine}', { A: 'berth/victim' }],
    ['ARG A\nFROM $A', { A: '$B' }],
  ])('%j with %j is refused', (text, given) => {
    expect(() => check(text, given)).toThrow(expect.objectContaining({ code: 'dockerfile_invalid' }));
  });

  test.each([
    ['ARG BASE=berth/victim\nFROM $BASE', { BASE: 'alpine' }],
    ['FROM alpine\nARG BASE\nRUN echo $BASE', { BASE: 'berth/victim' }],
    ['ARG OTHER\nFROM alpine', { BASE: 'berth/victim' }],
    ['ARG constructor\nFROM alpine$constructor', {}],
  ])('%j with %j is fine', (text, given) => {
    expect(check(text, given).text).toBe(text);
  });
});

test('the arguments of all stages are known by name', () => {
  const text = [
    'ARG A=1 B',
    'FROM alpine AS one',
    'arg  c="x"',
    'ARG \\',
    '  D=2',
    'RUN echo ARG E',
    'FROM one',
    'ARG "F"',
    'ENV G=1',
  ].join('\n');
  expect([...check(text).declaredArguments]).toEqual(['A', 'B', 'c', 'D', 'F']);
});

test.each([
  'FROM node:20',
  'FROM scratch',
  'FROM berthold/app',
  'FROM registry.example:5000/berth/app',
  'FROM alpine@sha256:6a21ac5d5f3f4bb0f0c3b1f5b9d6b6f0bb0a57a8ad9a2c5a3c7f3a1f4e2d1c0b',
  'FROM cafe:latest',
  'ARG VERSION=20\nFROM node:${VERSION}-slim AS build\nFROM build\nCOPY --from=build /a /a\nCOPY --from=0 /a /a',
  'FROM alpine AS BEE\nFROM bee',
  'FROM python\nRUN <<EOF\nfrom abc import x\nEOF\nUSER 1',
  '# see FROM berth/x\nFROM alpine\nRUN echo berth/x',
  'FROM --platform=$BUILDPLATFORM golang:1.22',
  '',
  'this is no Dockerfile',
])('is fine: %j', (text) => {
  expect(check(text).text).toBe(text);
});

describe('T16: only the official frontends may be named', () => {
  test.each([
    '# syntax=evil.example/f:1',
    '#syntax = docker/dockerfile-evil:1',
    '# Syntax=docker/dockerfile:1/../x',
  ])('%s', (line) => {
    expect(() => check(`${line}\nFROM alpine`)).toThrow('may only name docker/dockerfile');
  });

  test('which alone are no reason for BuildKit', () => {
    expect(check('# syntax=docker/dockerfile:1.7\nFROM alpine').needsBuildKit).toEqual([]);
  });
});

describe('BuildKit is used only where the Dockerfile needs it', () => {
  test.each([
    ['RUN --mount=type=tmpfs,target=/t true', ['RUN --mount']],
    ['COPY --link a b', ['COPY --link']],
    ['COPY --chmod=755 a b', ['COPY --chmod']],
    ['ADD --checksum=sha256:0 http://x/y /', ['ADD --checksum']],
    ['RUN <<EOF\necho hi\nEOF', ['a here-document']],
    ['COPY <<-"EOF" /x\nhi\nEOF', ['a here-document']],
    ['ARG TARGETARCH', ['the variable TARGETARCH']],
    ['COPY --chown=1:1 --from=a b c', []],
    ['RUN echo $((1 << 3)) && cat <<< hi', []],
    ['RUN npm --mount x', []],
    ['HEALTHCHECK --interval=5s CMD true', []],
  ])('%j', (line, expected) => {
    expect(check(`FROM alpine AS a\n${line}\n`).needsBuildKit).toEqual(expected);
  });
});

describe('T19: a cache mount is the app’s own', () => {
  test.each([
    ['--mount=type=cache,target=/c', '--mount=type=cache,target=/c,id=app1-/c'],
    ['--mount=target=/c,id=npm,type=cache', '--mount=target=/c,type=cache,id=app1-npm'],
    ['--mount=type=cache,dst=/c,sharing=locked', '--mount=type=cache,dst=/c,sharing=locked,id=app1-/c'],
    ['--mount=type=${T},target=/c', '--mount=type=${T},target=/c,id=app1-/c'],
    ['--mount=type=tmpfs,target=/c', '--mount=type=tmpfs,target=/c'],
  ])('%s', (written, built) => {
    expect(check(`FROM alpine\nRUN ${written} \\\n  --network=none true\n`).text).toBe(
      `FROM alpine\nRUN ${built} \\\n  --network=none true\n`,
    );
  });

  test.each([
    '--mount=type="cache",target=/c',
    '--mount=type=cache,\\\ntarget=/c',
    '--mount=type=${T},target=/c',
  ])('and refused when it cannot be named: %j', (written) => {
    const text = `FROM alpine\nRUN ${written} true\n`;
    if (written.includes('$')) expect(check(text).text).toContain('id=app1-/c');
    else expect(() => check(text)).toThrow('in one word without quotes');
  });
});
