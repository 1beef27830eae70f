document.getElementById('app').textContent = 'Plain Vite answers';
