/** The stream of what an app's containers write, all releases and replicas together. */
export function runtimeStreamId(appId: string): string {
  return `app:${appId}`;
}
