/** Usage: npm run docs:failures      writes docs/failures.md from the catalogue of failure codes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failuresPage } from './failures-page.ts';

writeFileSync(join(import.meta.dirname, '../docs/failures.md'), failuresPage());
console.log('docs/failures.md written.');
