import { createRoot } from 'react-dom/client';

createRoot(document.getElementById('app')).render(<h1>Vite with React answers</h1>);
