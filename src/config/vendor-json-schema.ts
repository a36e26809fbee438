/** The format of a vendor file as JSON Schema, for completion in editors. */
import { z } from 'zod';
import { vendorSchema } from './vendor-schema.ts';

export function vendorJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(vendorSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (def.type !== 'pipe') return;
      const { in: from, out: to } = def;
      if (from._zod.def.type !== 'transform' || to._zod.def.type !== 'array') return;
      // A list that may be written as a single item is a preprocessing step, which zod does not convert to JSON Schema.
      const { items = {} } = jsonSchema;
      for (const key of ['type', 'items', 'minItems'] as const) Reflect.deleteProperty(jsonSchema, key);
      Object.assign(jsonSchema, { anyOf: [items, { type: 'array', minItems: 1, items }] });
    },
  });
  return { ...schema, title: 'An AI vendor of the Sallyport catalogue' };
}
