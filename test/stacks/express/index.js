import express from 'express';

const app = express();
app.get('/', (_request, response) => response.send('Express answers\n'));
app.listen(process.env.PORT || 3000);
