import type Docker from 'dockerode';
import { dockerCall } from './docker-call.ts';

/**
 * Whether the daemon that answers saw that container end since that start (RFC 3339). A daemon keeps its last 256 events
 * in memory only, so one that was started after the end knows nothing of it. An end that 256 others have followed by
 * now is taken for unseen.
 */
export async function sawEnd(docker: Docker, containerId: string, startedAt: string): Promise<boolean> {
  const events = docker.getEvents({
    since: Date.parse(startedAt) / 1000,
    until: Date.now() / 1000,
    filters: JSON.stringify({ type: ['container'], event: ['die'], container: [containerId] }),
  });
  return dockerCall('tell of its events', events.then(hasContent));
}

async function hasContent(stream: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of stream) return true;
  return false;
}
