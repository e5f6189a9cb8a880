// The tutorial's two flows, gradients and parameters, for each of the three models. Each file stands by itself.
import './linearRegression.ts';
import './logisticRegression.ts';
import './neuralNetwork.ts';
