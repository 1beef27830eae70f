/** `{app}-{deployment-id}[-{attempt}][-{replica}]`: at most 58 characters, so it is a DNS label too. */
export function containerName(of: {
  appName: string;
  deploymentId: string;
  attempt: number;
  replica: number;
}): string {
  // The attempt is there whenever the replica is, or `x-2` could mean either.
  const attempt = of.attempt > 1 || of.replica > 1 ? `-${of.attempt}` : '';
  const replica = of.replica > 1 ? `-${of.replica}` : '';
  return `${of.appName}-${of.deploymentId}${attempt}${replica}`;
}
