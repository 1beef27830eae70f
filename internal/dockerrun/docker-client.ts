import Docker from 'dockerode';

/**
 * The daemon behind a socket, as `unix:///…`. A connection for each call: a daemon that is told to stop takes no new
 * ones, but answers those it has until it has ended its containers. Asked over such a one, it says of each that it has
 * ended, and nothing of why (F14).
 */
export function dockerClient(dockerHost: string): Docker {
  // By header, not by an agent: docker-modem prints the options of every call for its debug log, though nobody reads
  // it, and an agent with all of its connections (20 of them: 30 ms of processor time a call).
  return new Docker({ socketPath: dockerHost.replace('unix://', ''), headers: { Connection: 'close' } });
}
