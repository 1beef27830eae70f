from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def home():
    return {"says": "FastAPI answers"}
