import type { Line } from '../engine/ports.ts';
import type { OwnSteps } from './build-transcript.ts';
import { type CheckedDockerfile, readInstructions } from './dockerfile-rules.ts';
import { withLabels, withStageLabels } from './own-labels.ts';
import type { ExtraFile } from './pack-context.ts';
import { type BuildPlatform, withoutBuildKit } from './without-buildkit.ts';

/** `name` is its path in the context, null for a generated one. */
export type NamedDockerfile = CheckedDockerfile & { readonly name: string | null };

/** Which builder builds, and what it is given beside the context. */
export interface BuilderPlan {
  readonly builder: 'classic' | 'buildkit';
  /** Name of the Dockerfile in the context. */
  readonly dockerfile: string;
  readonly files: readonly ExtraFile[];
  /** Labels to set by option; the others stand in the Dockerfile. */
  readonly labels: Readonly<Record<string, string>>;
  readonly ownSteps: OwnSteps;
  /** Of variables that BuildKit would set by itself. */
  readonly platformArguments: Readonly<Record<string, string>>;
  /** What only BuildKit can build, in words for the log; null with the classic builder. */
  readonly needs: string | null;
}

/** Ours stands beside the repository's; the ignore file that is sent keeps it out of what COPY sees. */
const OUR_NAME = '.berth.Dockerfile';

/**
 * The classic builder, which keeps to the limits, wherever it can build the Dockerfile. In both cases the text that was
 * checked is what is sent, whatever the file holds by then.
 */
export function planBuilder(
  dockerfile: NamedDockerfile,
  given: {
    ignoreFile: string | null;
    labels: Readonly<Record<string, string>>;
    /** Those that every layer of the build carries; the same for all builds of the app, as the cache goes by them. */
    layerLabels: Readonly<Record<string, string>>;
    /** The stage to build. Null: the last. */
    target: string | null;
    /** May be null where nothing asks for BuildKit. */
    platform: BuildPlatform | null;
  },
): BuilderPlan {
  const { ignoreFile, labels, layerLabels, target, platform } = given;
  const classic = withoutBuildKit(dockerfile.text, dockerfile.needsBuildKit, platform);
  if (classic === null) {
    const name = dockerfile.name ?? OUR_NAME;
    const ignore = ignoreFile === null ? [] : [{ name: '.dockerignore', text: ignoreFile }];
    return {
      builder: 'buildkit',
      dockerfile: name,
      files: [{ name, text: dockerfile.text }, ...ignore],
      labels,
      ownSteps: { stageInstruction: null, stages: 0, last: 0 },
      platformArguments: {},
      needs: dockerfile.needsBuildKit.join(', '),
    };
  }

  const staged = withStageLabels(classic.text, layerLabels);
  const text = staged?.text ?? classic.text;
  // An instruction at the end belongs to the last stage, which may not be the one that is built.
  const labelled = target === null ? withLabels(text, labels) : null;
  return {
    builder: 'classic',
    dockerfile: OUR_NAME,
    files: [
      { name: OUR_NAME, text: labelled ?? text },
      // One that was not there ignores itself too, so that the image is what a build by hand gives.
      { name: '.dockerignore', text: `${ignoreFile ?? '.dockerignore'}\n${OUR_NAME}\n` },
    ],
    labels: labelled === null ? labels : {},
    ownSteps: {
      stageInstruction: staged?.instruction ?? null,
      stages: staged === null ? 0 : stagesBuilt(classic.text, target),
      last: labelled === null ? Object.keys(labels).length : 1,
    },
    platformArguments: classic.buildArguments,
    needs: null,
  };
}

/** The classic builder leaves out the stages after the one that is asked for, by name or by number. */
function stagesBuilt(text: string, target: string | null): number {
  const stages = readInstructions(text).filter(({ keyword }) => keyword === 'FROM');
  const at = stages.findIndex(({ words }) => words[2]?.toLowerCase() === target?.toLowerCase());
  return target === null || at === -1 ? stages.length : at + 1;
}

/** What the person who deploys should know. `lacks`: why the daemon's own BuildKit builds, to which limits mean nothing. */
export function builderLine(needs: string, lacks: string | null): Line {
  if (lacks === null) return { text: `Building with BuildKit, for ${needs}` };
  const text = `Building with BuildKit, for ${needs}: the memory and CPU limits of builds do not hold there, for ${lacks}`;
  return { text: /[.!?]$/.test(text) ? text : `${text}.`, level: 'warning' };
}
