import type { World } from './world.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
}
interface Entry {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

export interface Field {
  readonly operation: string;
  readonly name: string;
  /** JSON types that it takes. */
  readonly types: readonly string[];
}

/** Every field of every JSON body, as the API's own document tells it. */
export async function bodyFields(world: World): Promise<Field[]> {
  const answer = await fetch(`http://127.0.0.1:${world.port}/api/v1/openapi.json`);
  const { paths, components } = (await answer.json()) as {
    paths: Readonly<Record<string, Readonly<Record<string, Entry>>>>;
    components: { schemas: Readonly<Record<string, Schema>> };
  };
  const resolved = (schema: Schema): Schema =>
    schema.$ref ? (components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}) : schema;
  return Object.values(paths)
    .flatMap((item) => Object.values(item))
    .filter(({ operationId }) => world.operations.get(operationId)?.body !== undefined)
    .flatMap(({ operationId, requestBody }) => {
      const schema = resolved(requestBody?.content['application/json']?.schema ?? {});
      return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
        operation: operationId,
        name,
        types: typesOf(resolved(property)),
      }));
    });
}

function typesOf({ type, anyOf, enum: words }: Schema): string[] {
  if (anyOf) return anyOf.flatMap(typesOf);
  if (words) return [...new Set(words.map((word) => typeof word))];
  return [type ?? []].flat();
}
