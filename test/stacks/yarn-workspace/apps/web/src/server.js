import { words } from '@stack-yarn/words';
import Fastify from 'fastify';

const fastify = Fastify();
fastify.get('/', () => words);
await fastify.listen({ port: Number(process.env.PORT), host: '0.0.0.0' });
