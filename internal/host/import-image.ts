import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';

/**
 * Makes an image of one layer from a root file system, named `repository:tag`. When two processes race, one image stays.
 * @throws Error with the daemon's words
 */
export async function importImage(
  docker: Dockerode,
  image: {
    readonly repository: string;
    readonly tag: string;
    readonly files: Readable;
    readonly changes: readonly string[];
  },
): Promise<string> {
  const name = `${image.repository}:${image.tag}`;
  const imageId = await readImageId(
    await docker.importImage(image.files as unknown as NodeJS.ReadableStream, { changes: image.changes }),
  );
  if (await hasImage(docker, name)) await docker.getImage(imageId).remove();
  else await docker.getImage(imageId).tag({ repo: image.repository, tag: image.tag });
  return name;
}

/** Whether the daemon has an image of that name. */
export async function hasImage(docker: Dockerode, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch (error) {
    if (error instanceof Error && 'statusCode' in error && error.statusCode === 404) return false;
    throw error;
  }
}

async function readImageId(progress: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of progress) text += String(chunk);
  const imageId = /"status":"(sha256:[0-9a-f]{64})"/.exec(text)?.[1];
  if (imageId === undefined) throw new Error(`docker import failed: ${text.trim()}`);
  return imageId;
}
