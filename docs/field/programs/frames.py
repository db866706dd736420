"""Sales of a year by shop and month, and a solved linear system: pandas and NumPy."""
import numpy as np
import pandas as pd

random = np.random.default_rng(1)
n = 400_000
sales = pd.DataFrame({"shop": random.integers(0, 500, n), "day": random.integers(0, 365, n),
                      "price": random.normal(20, 5, n), "text": random.integers(0, 9999, n).astype(str)})
for _ in range(3):
    by_month = sales.assign(month=sales["day"] // 31).groupby(["shop", "month"])["price"].agg(["sum", "mean", "std"])
    merged = sales.merge(by_month.reset_index(), on="shop", how="inner").head(100_000)
    lengths = sales["text"].apply(lambda text: len(text) * 2)
    a = random.normal(size=(900, 900))
    np.linalg.solve(a, a.T)
print(len(merged), lengths.sum())
