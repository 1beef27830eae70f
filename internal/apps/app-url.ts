/** How the proxy's entry point for apps is reached. */
export interface AppEntryPoint {
  readonly baseDomain: string;
  readonly httpPort: number;
}

/** Where people reach a host of an app: with the port unless it is the scheme's own. */
export function urlOf(host: string, { httpPort }: Pick<AppEntryPoint, 'httpPort'>): string {
  return httpPort === 80 ? `http://${host}` : `http://${host}:${httpPort}`;
}
