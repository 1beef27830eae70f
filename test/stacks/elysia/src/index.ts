import { Elysia } from 'elysia';

new Elysia().get('/', () => 'Elysia answers').listen(Number(process.env.PORT ?? 3000));
